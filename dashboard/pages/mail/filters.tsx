import type { SpamScores, WaitingMails } from "../../../src/admin/declare/items.ts";
import type { CountedPage } from "../../../src/admin/declare/paging.ts";
import type { AllowedSenderItem, GreylistPauseItem } from "../../../src/admin/filters.ts";
import { t } from "../../admin-texts.ts";
import { get, queryOf } from "../../api.ts";
import { attempt } from "../../attempt.ts";
import { Form, Lasts } from "../../fields.tsx";
import { percent, whole } from "../../format.ts";
import { language } from "../../messages.ts";
import { Address, At, Card, Field, Said, useLoaded, Waiting } from "../../parts.tsx";
import { route } from "../../route.ts";
import { may } from "../../session.ts";
import { Pages } from "../list-parts.tsx";
import { allowSender, disallowSender, pauseGreylist, resumeGreylist } from "./mail-commands.ts";

const MOST_SHOWN = 50;

/** First mails of strangers, which greylisting puts off, and recipients for whom it does not. */
export function MailGreylist() {
  const pauses = useLoaded(() => get<CountedPage<GreylistPauseItem>>("greylist/pauses?limit=500"), []);
  const words = t.value.mail;
  const pause = (recipient: string, lasts: string): Promise<void> => pauseGreylist(recipient, lasts, pauses.reload);
  const resume = (recipient: string): void => attempt(() => resumeGreylist(recipient).then(pauses.reload));
  return (
    <>
      <Card title={words.codeTitle}>
        <p class="hint">{words.codeHint}</p>
        {may("greylist") && (
          <Form label={words.pause} submit={({ recipient = "", for: lasts = "" }) => pause(recipient, lasts)}>
            <Field label={words.recipientWaits} name="recipient" type="email" required maxLength={320} />
            <Lasts />
          </Form>
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
      <WaitingList pause={(recipient) => attempt(() => pause(recipient, ""))} />
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

const PAGE_ROWS = 50;

/** The spam filter's scores, and the senders whose mail it lets pass. */
export function MailSpam() {
  const cursor = route.value.query["before"] ?? "";
  const { data, error, reload } = useLoaded(
    () => get<SpamScores>(`spam${queryOf({ limit: PAGE_ROWS, cursor })}`),
    [cursor],
  );
  const words = t.value.mail;
  return (
    <>
      {data !== null && data.days.length > 0 && <Days data={data} />}
      <p class="hint">{words.movedHint}</p>
      <Senders />
      <h2>{words.scores}</h2>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.noScores}</p>}
      <ul class="rows" aria-label={words.scores}>
        {data?.items.map(({ id, at, recipient, messageId, isSpam, score, required }) => (
          <li key={id} class="row mail">
            <span class="who">
              <At iso={at} how="moment" />
              <span class={`type ${isSpam ? "bad" : "good"}`}>{isSpam ? words.verdicts.spam : words.verdicts.ham}</span>
            </span>
            <span class="what">
              {messageId === null || messageId === "" ? null : <Address of={messageId} />}{" "}
              <Said text={recipient ?? words.several} lang={recipient === null ? language.value : "en"} />
            </span>
            <span>{score === null || required === null ? words.noScore : words.scoreOf(score, required)}</span>
          </li>
        ))}
      </ul>
      <Pages page="mail" query={{ show: "spam" }} by="before" at={cursor} next={data?.next ?? null} />
    </>
  );
}

function Days({ data }: Readonly<{ data: SpamScores }>) {
  const words = t.value.mail;
  return (
    <Card title={words.days}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.day}</th>
            <th scope="col">{words.scored}</th>
            <th scope="col">{words.isSpam}</th>
            <th scope="col">{words.share}</th>
          </tr>
        </thead>
        <tbody>
          {data.days.map(({ day, scored, spam }) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              <td>{whole(scored, language.value)}</td>
              <td>{whole(spam, language.value)}</td>
              <td>{percent(spam / scored, language.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!data.complete && <p class="hint">{words.daysPart}</p>}
    </Card>
  );
}

function Senders() {
  const { data, error, reload } = useLoaded(() => get<CountedPage<AllowedSenderItem>>("spam/senders?limit=500"), []);
  const words = t.value.mail;
  const submit = async ({ account = "", sender = "" }, form: HTMLFormElement): Promise<void> => {
    await allowSender({ account, sender }, reload);
    form.reset();
  };
  return (
    <Card title={words.senders}>
      <Waiting error={error} reload={reload} isLoaded={data !== null} />
      {data?.items.length === 0 && <p class="empty">{words.noSenders}</p>}
      <ul class="rows">
        {data?.items.map((item) => (
          <li key={`${item.account} ${item.sender}`} class="row act">
            <p>
              <Said text={item.sender} /> {words.forAccount} <Said text={item.account} />
              <br />
              <small>
                <At iso={item.at} how="moment" />, <Said text={item.by} />
              </small>
            </p>
            {may("allow") && (
              <button
                type="button"
                aria-label={words.offOf(item.sender, item.account)}
                onClick={() => attempt(() => disallowSender(item, reload))}
              >
                {words.off}
              </button>
            )}
          </li>
        ))}
      </ul>
      {may("allow") && (
        <Form label={words.allow} isPlain submit={submit}>
          <Field label={words.account} name="account" type="email" required maxLength={320} />
          <Field label={words.senderPattern} name="sender" required maxLength={320} />
        </Form>
      )}
    </Card>
  );
}
