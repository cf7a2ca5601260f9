import { t } from "../../admin-texts.ts";
import { Field, fieldsOf } from "../../parts.tsx";
import { go } from "../../route.ts";
import { Parts } from "../list-parts.tsx";
import { MailGreylist, MailSpam } from "./filters.tsx";
import { MailHeld } from "./held.tsx";
import { MailQueue } from "./queue.tsx";

export function MailPage() {
  const words = t.mail;
  const find = (event: Event): void => {
    event.preventDefault();
    go("find", fieldsOf(event.currentTarget));
  };
  return (
    <>
      <form class="find" role="search" aria-label={words.where} onSubmit={find}>
        <Field label={words.where} name="q" required maxLength={998} />
        <button type="submit">{words.find}</button>
      </form>
      <Parts
        page="mail"
        parts={[
          { name: "queue", title: words.queue, show: MailQueue },
          { name: "held", title: words.held, show: MailHeld },
          { name: "greylist", title: words.greylist, show: MailGreylist },
          { name: "spam", title: words.spam, show: MailSpam },
        ]}
      />
    </>
  );
}
