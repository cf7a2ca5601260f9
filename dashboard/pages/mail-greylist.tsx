import type { WaitingMails } from "../../src/wire/control/items.ts";
import type { CountedPage } from "../../src/wire/control/paging.ts";
import type { GreylistPauseItem } from "../../src/wire/verbs/filters.ts";
import { t } from "../admin-texts.ts";
import { get } from "../api.ts";
import { attempt } from "../attempt.ts";
import { pauseGreylist, resumeGreylist } from "../mail-commands.ts";
import { language } from "../messages.ts";
import { Address, At, Card, Field, fieldsOf, Said, useLoaded, Waiting } from "../parts.tsx";
import { may } from "../session.ts";
import { Lasts } from "./lasts.tsx";

const MOST_SHOWN = 50;

/** First mails of strangers, which greylisting puts off, and recipients for whom it does not. */
export function MailGreylist() {
  const pauses = useLoaded(() => get<CountedPage<GreylistPauseItem>>("greylist/pauses?limit=500"), []);
  const words = t.value.mail;
  const pause = (recipient: string, lasts: string): void =>
    attempt(() => pauseGreylist(recipient, lasts, pauses.reload));
  const resume = (recipient: string): void => attempt(() => resumeGreylist(recipient).then(pauses.reload));
  const submit = (event: Event): void => {
    event.preventDefault();
    const { recipient = "", for: lasts = "" } = fieldsOf(event.currentTarget);
    pause(recipient, lasts);
  };
  return (
    <>
      <Card title={words.codeTitle}>
        <p class="hint">{words.codeHint}</p>
        {may("greylist") && (
          <form class="fields" onSubmit={submit}>
            <Field label={words.recipientWaits} name="recipient" type="email" required maxLength={320} />
            <Lasts />
            <div class="buttons">
              <button class="primary" type="submit">
                {words.pause}
              </button>
            </div>
          </form>
        )}
        <h3>{words.pauses}</h3>
        <Waiting error={pauses.error} reload={pauses.reload} isLoaded={pauses.data !== null} />
        {pauses.data?.items.length === 0 && <p class="empty">{words.noPauses}</p>}
        <ul class="rows">
          {pauses.data?.items.map(({ target, until, by }) => (
            <li key={target} class="row act">
              <p>
                <Said text={target} />
                <br />
                <small>
                  {words.until} <At iso={until} how="distance" />, <Said text={by} />
                </small>
              </p>
              {may("greylist") && (
                <button type="button" aria-label={words.resumeOf(target)} onClick={() => resume(target)}>
                  {words.resume}
                </button>
              )}
            </li>
          ))}
        </ul>
      </Card>
      <WaitingList pause={(recipient) => pause(recipient, "")} />
    </>
  );
}

function WaitingList({ pause }: Readonly<{ pause: (recipient: string) => void }>) {
  const { data, error, reload } = useLoaded(() => get<WaitingMails>("greylist/waiting"), []);
  const words = t.value.mail;
  const items = data?.items.slice(0, MOST_SHOWN) ?? [];
  const unseen = data === null ? 0 : data.total - items.length;
  return (
    <>
      <div class="bar">
        <h2>{words.waiting}</h2>
        <span class="spacer" />
        <button type="button" onClick={reload}>
          {words.refresh}
        </button>
      </div>
      <p class="hint">{words.waitingHint}</p>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.noneWaiting}</p>}
      <ul class="rows" aria-label={words.waiting}>
        {items.map(({ sender, recipient, ip, since, lastTryAt, tries, waitsFor }) => (
          <li key={`${sender} ${recipient}`} class="row mail">
            <span class="who">
              {ip !== null && <Address of={ip} />}
              <small>
                <At iso={since} how="distance" />, {words.tries(tries)}
                {tries > 1 && (
                  <>
                    , {words.lastTry} <At iso={lastTryAt} how="distance" />
                  </>
                )}
              </small>
            </span>
            <span class="what">
              <Said text={words.fromTo(sender === "" ? words.bounce : sender)} lang={language.value} />{" "}
              <Said text={recipient} />
              <br />
              <small>{words.waitsFor[waitsFor]}</small>
            </span>
            {may("greylist") && (
              <button type="button" aria-label={words.codeOf(recipient)} onClick={() => pause(recipient)}>
                {words.code}
              </button>
            )}
          </li>
        ))}
      </ul>
      {unseen > 0 && <p class="hint">{words.waitingMore(unseen)}</p>}
      {data?.complete === false && <p class="hint">{words.waitingPart}</p>}
    </>
  );
}
