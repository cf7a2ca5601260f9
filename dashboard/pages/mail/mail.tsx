import type { JSX } from "preact";
import { t } from "../../admin-texts.ts";
import { Field, fieldsOf } from "../../parts.tsx";
import { go, hrefOf, route } from "../../route.ts";
import { Heading } from "../../shell.tsx";
import { MailGreylist, MailSpam } from "./filters.tsx";
import { MailHeld } from "./held.tsx";
import { MailQueue } from "./queue.tsx";

const PARTS = ["queue", "held", "greylist", "spam"] as const;
const SHOWN: Readonly<Record<(typeof PARTS)[number], () => JSX.Element>> = {
  queue: MailQueue,
  held: MailHeld,
  greylist: MailGreylist,
  spam: MailSpam,
};

/** Mail that waits, is held, deferred or filtered. */
export function MailPage() {
  const words = t.value.mail;
  const shown = PARTS.find((name) => name === route.value.query["show"]) ?? "queue";
  const Shown = SHOWN[shown];
  const find = (event: Event): void => {
    event.preventDefault();
    go("find", fieldsOf(event.currentTarget));
  };
  return (
    <>
      <Heading>{words.title}</Heading>
      <form class="find" role="search" aria-label={words.where} onSubmit={find}>
        <Field label={words.where} name="q" required maxLength={998} />
        <button type="submit">{words.find}</button>
      </form>
      <nav class="tabs" aria-label={words.which}>
        {PARTS.map((name) => (
          <a
            key={name}
            href={hrefOf("mail", { show: name === "queue" ? "" : name })}
            aria-current={name === shown ? "page" : undefined}
          >
            {words[name]}
          </a>
        ))}
      </nav>
      <Shown key={shown} />
    </>
  );
}
