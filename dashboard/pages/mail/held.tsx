import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../admin-texts.ts";
import { ConfirmButton } from "../../controls.tsx";
import { tasksKey } from "../../live.ts";
import { language } from "../../messages.ts";
import { Address, Button, SafeText, Time, useAnswer, useFocusOnOpen, Waiting } from "../../parts.tsx";
import { dropHeld, dropSelection, leftBehind, releaseHeld } from "./mail-commands.ts";

const words = t.mail;

const MOST_NAMED = 10;
const MOST_RECIPIENTS = 5;

export function MailHeld() {
  const list = useAnswer("GET /held", {}, tasksKey.value);
  const { data, reload } = list;
  const [decided, setDecided] = useState<string | null>(null);
  const ended = data === null ? [] : leftBehind(data);
  return (
    <>
      <p class="hint">{words.heldHint}</p>
      <Waiting {...list} />
      {data?.accounts.length === 0 && ended.length === 0 && <p class="empty">{words.noneHeld}</p>}
      <ul class="rows" aria-label={words.heldList}>
        {data?.accounts.map(({ account, at, ip, count, limit, key }) => (
          <HeldRow key={account} account={account} at={at} decide={setDecided}>
            {words.heldWhy(count, limit, key)}, {words.heldFrom} <Address of={ip} />
          </HeldRow>
        ))}
        {ended.map((account) => (
          <HeldRow key={account} account={account} decide={setDecided}>
            {words.heldEnded}
          </HeldRow>
        ))}
      </ul>
      {decided !== null && <Decision key={decided} account={decided} changed={reload} close={() => setDecided(null)} />}
    </>
  );
}

type RowProps = Readonly<{
  account: string;
  at?: string;
  decide: (account: string) => void;
  children: ComponentChildren;
}>;

function HeldRow({ account, at, decide, children }: RowProps) {
  return (
    <li class="row mail">
      <span class="who">
        <Address of={account} />
        {at !== undefined && (
          <small>
            <Time iso={at} how="moment" />
          </small>
        )}
      </span>
      <span class="what">{children}</span>
      <Button text={words.decide} aria-label={words.decideOn(account)} onClick={() => decide(account)} />
    </li>
  );
}

type DecisionProps = Readonly<{ account: string; changed: () => void; close: () => void }>;

/** The held mail of one account, and the mail that already left, by which the user can tell whether it is theirs. */
function Decision({ account, changed, close }: DecisionProps) {
  const list = useAnswer("GET /held", { query: { account } });
  const { data, reload } = list;
  const section = useFocusOnOpen();
  const decide = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
      close();
    } finally {
      changed();
      reload();
    }
  };
  return (
    <section ref={section} tabIndex={-1} class="preview" aria-label={words.decideOn(account)}>
      <Waiting {...list} />
      {data !== null && (
        <>
          <SafeText within="strong" text={words.heldMails(account, data.heldTotal, data.sentTotal)} lang={language} />
          <ul>
            {data.held.slice(0, MOST_NAMED).map(({ queueId, at, recipients, recipientCount }) => (
              <li key={queueId}>
                <Address of={queueId} /> <Time iso={at} how="moment" /> {words.to}{" "}
                <Recipients of={recipients} count={recipientCount} />
              </li>
            ))}
          </ul>
          <div class="buttons">
            <Button text={t.cancel} onClick={close} />
            <ConfirmButton
              kind="danger"
              text={words.dropAll(data.heldTotal)}
              confirmText={words.surely.delete(data.heldTotal)}
              run={() => decide(() => dropHeld(account, false, dropSelection(data)))}
            />
            <ConfirmButton
              kind="danger"
              text={words.returnAll(data.heldTotal)}
              confirmText={words.surely.return(data.heldTotal)}
              run={() => decide(() => dropHeld(account, true, dropSelection(data)))}
            />
            <ConfirmButton
              text={words.sendAll(data.heldTotal)}
              confirmText={words.surelySend(data.heldTotal)}
              run={() => decide(() => releaseHeld(account, data))}
            />
          </div>
        </>
      )}
    </section>
  );
}

/** `of`: the recipients that the server names, of `count`. There may be more than `count`, because an alias counts as one. */
function Recipients({ of, count }: Readonly<{ of: readonly string[]; count: number }>) {
  const shown = of.slice(0, MOST_RECIPIENTS);
  const all = Math.max(count, of.length);
  const further = of.slice(MOST_RECIPIENTS).concat(all > of.length ? "…" : []);
  return (
    <>
      <SafeText text={shown.join(", ")} />{" "}
      {further.length > 0 && (
        <details>
          <summary>{words.andOthers(all - shown.length)}</summary>
          <SafeText text={further.join(", ")} />
        </details>
      )}
    </>
  );
}
