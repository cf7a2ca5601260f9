import type { SpamScores } from "../../../src/admin/declare/items.ts";
import { t } from "../../admin-texts.ts";
import type { ItemOf } from "../../api.ts";
import { ActionButton, DurationField, Form, RemoveButton } from "../../controls.tsx";
import { isPast, percent, whole } from "../../format.ts";
import { MOST_ROWS } from "../../live-list.ts";
import { language } from "../../messages.ts";
import { Address, Button, Card, Field, Item, isEmpty, now, Rows, SafeText, Time, useAnswer } from "../../parts.tsx";
import { route } from "../../route.ts";
import { NotShown, Table } from "../../rows.tsx";
import { PAGE_ROWS, Pager } from "../list-parts.tsx";
import { allowSender, disallowSender, pauseGreylist, resumeGreylist } from "./mail-commands.ts";

const words = t.mail;

const MOST_SHOWN = 50;

export function MailGreylist() {
  const pauses = useAnswer("GET /greylist/pauses", { query: { limit: MOST_ROWS } });
  const items = pauses.data?.items.filter(({ until }) => !isPast(until, now.value)) ?? [];
  const pause = (recipient: string, lasts: string): Promise<void> =>
    pauseGreylist({ recipient, for: lasts }, items, pauses.reload);
  const resume = (target: string): Promise<void> => resumeGreylist(target).finally(pauses.reload);
  return (
    <>
      <Card title={words.codeTitle} hint={words.codeHint}>
        <Form label={words.pause} submit={({ recipient = "", for: lasts = "" }) => pause(recipient, lasts)}>
          <Field label={words.recipientWaits} name="recipient" type="email" required maxLength={320} />
          <DurationField />
        </Form>
        <h3>{words.pauses}</h3>
        <Rows of={{ ...pauses, data: pauses.data && { items } }} none={words.noPauses}>
          {({ target, until, by }) => (
            <Item key={target} name={target} facts={<Until word={words.until} iso={until} how="distance" by={by} />}>
              <ActionButton text={t.access.end} label={words.resumeOf(target)} run={() => resume(target)} />
            </Item>
          )}
        </Rows>
        <NotShown of={pauses.data} />
      </Card>
      <WaitingList paused={items} pause={(recipient) => pause(recipient, "")} />
    </>
  );
}

function Until({ by, ...at }: Parameters<typeof Time>[0] & Readonly<{ by: string }>) {
  return (
    <>
      <Time {...at} />, <SafeText text={by} />
    </>
  );
}

type WaitingProps = Readonly<{
  paused: readonly ItemOf<"GET /greylist/pauses">[];
  pause: (recipient: string) => Promise<void>;
}>;

function WaitingList({ paused, pause }: WaitingProps) {
  const list = useAnswer("GET /greylist/waiting", {});
  const { data, reload } = list;
  const items = data?.items.slice(0, MOST_SHOWN) ?? [];
  return (
    <>
      <div class="bar">
        <h2>{words.waiting}</h2>
        <span class="spacer" />
        <Button text={t.lists.refresh} onClick={reload} />
      </div>
      <p class="hint">{words.waitingHint}</p>
      <Rows of={{ ...list, data: data === null ? null : { items } }} none={words.noneWaiting} label={words.waiting}>
        {({ sender, recipient, ip, since, lastTryAt, tries, waitsFor }) => (
          <li key={`${sender} ${recipient}`} class="row mail">
            <span class="who">
              {ip !== null && <Address of={ip} />}
              <small>
                <Time iso={since} how="distance" />, {words.tries(tries)}
                {tries > 1 && (
                  <>
                    , {words.lastTry} <Time iso={lastTryAt} how="distance" />
                  </>
                )}
              </small>
            </span>
            <span class="what">
              <SafeText text={words.fromTo(sender === "" ? words.bounce : sender)} lang={language} />{" "}
              <SafeText text={recipient} />
              <br />
              <small>{words.waitsFor[waitsFor]}</small>
            </span>
            <ActionButton
              text={words.code}
              label={words.codeOf(recipient)}
              isOff={paused.some(({ target }) => target === ownerOf(recipient))}
              run={() => pause(recipient)}
            />
          </li>
        )}
      </Rows>
      <NotShown of={data && { items, total: data.total }} />
      {data?.complete === false && <p class="hint">{words.waitingPart}</p>}
    </>
  );
}

/** The account that the server pauses for this recipient: in lower case, without an extension. */
function ownerOf(recipient: string): string {
  return recipient.toLowerCase().replace(/^([^+@]+)\+[^@]*@/, "$1@");
}

export function MailSpam() {
  const cursor = route.value.query["before"] ?? "";
  const list = useAnswer("GET /spam", { query: { limit: PAGE_ROWS, cursor } });
  const { data } = list;
  return (
    <>
      {data !== null && data.days.length > 0 && <Days data={data} />}
      <p class="hint">{words.movedHint}</p>
      <Senders />
      <h2>{words.scores}</h2>
      <Rows of={list} none={words.noScores} label={words.scores}>
        {({ id, at, recipient, messageId, isSpam, score, required }) => (
          <li key={id} class="row mail">
            <span class="who">
              <Time iso={at} how="moment" />
              <span class={`type ${isSpam ? "bad" : "good"}`}>{isSpam ? words.verdicts.spam : words.verdicts.ham}</span>
            </span>
            <span class="what">
              {messageId === null || messageId === "" ? null : <Address of={messageId} />}{" "}
              <SafeText text={recipient ?? words.several} lang={recipient === null ? language : "en"} />
            </span>
            <span>{score === null || required === null ? words.noScore : words.scoreOf(score, required)}</span>
          </li>
        )}
      </Rows>
      <Pager query={{ show: "spam" }} next={data?.next ?? null} isEmpty={isEmpty(list)} />
    </>
  );
}

/** The server counts by days in UTC. */
function utcDay(day: string): string {
  return new Date(day).toLocaleDateString(language, { dateStyle: "medium", timeZone: "UTC" });
}

function Days({ data }: Readonly<{ data: SpamScores }>) {
  return (
    <Card title={words.days}>
      <Table
        head={[words.day, words.scored, words.isSpam, words.share]}
        rows={data.days.map(({ day, scored, spam }) => [
          utcDay(day),
          whole(scored),
          whole(spam),
          percent(spam / scored),
        ])}
      />
      {!data.complete && <p class="hint">{words.daysPart}</p>}
    </Card>
  );
}

function Senders() {
  const list = useAnswer("GET /spam/senders", { query: { limit: MOST_ROWS } });
  const allow = ({ account = "", sender = "" }): Promise<void> => allowSender({ account, sender }, list.reload);
  return (
    <Card title={words.senders}>
      <Rows of={list} none={words.noSenders}>
        {(item) => {
          const name = words.senderFor(item.sender, item.account);
          return (
            <Item key={name} name={name} facts={<Until iso={item.at} how="moment" by={item.by} />}>
              <RemoveButton name={name} run={() => disallowSender(item, list.reload)} />
            </Item>
          );
        }}
      </Rows>
      <NotShown of={list.data} />
      <Form label={words.allow} isPlain clears submit={allow}>
        <Field label={words.account} name="account" type="email" required maxLength={320} />
        <Field label={words.senderPattern} name="sender" required maxLength={320} />
      </Form>
    </Card>
  );
}
