import { useState } from "preact/hooks";
import type {
  AccountAnswer,
  AddressAnswer,
  EventItem,
  MessageReport,
  TimelineStep,
} from "../../../src/admin/declare/items.ts";
import { eventName, t, toneOf } from "../../admin-texts.ts";
import { ActionButton } from "../../controls.tsx";
import { language } from "../../messages.ts";
import {
  Address,
  Button,
  Card,
  Field,
  fieldsOf,
  LinkButton,
  SafeText,
  State,
  Time,
  useFormValues,
  useLoaded,
  Waiting,
} from "../../parts.tsx";
import { go, hrefOf, route } from "../../route.ts";
import { lift, verdictOf } from "../bans/ban-commands.ts";
import { Expiry } from "../bans/ban-form.tsx";
import { search } from "./search.ts";

const words = t.find;

const MOST_PLACES = 50;
const MOST_OTHERS = 20;

export function FindPage() {
  const { q = "" } = route.value.query;
  const form = useFormValues({ q });
  const [submits, setSubmits] = useState(0);
  const submit = (event: Event): void => {
    event.preventDefault();
    setSubmits((last) => last + 1);
    go("find", fieldsOf(event.currentTarget));
  };
  return (
    <>
      <form ref={form} class="find" role="search" onSubmit={submit}>
        <Field label={words.label} name="q" required maxLength={998} aria-describedby="find-hint" />
        <button class="primary" type="submit">
          {t.nav.find}
        </button>
        <p id="find-hint" class="hint">
          {words.hint}
        </p>
      </form>
      {q !== "" && <Found key={q} asked={q} news={submits} />}
    </>
  );
}

function Found({ asked, news }: Readonly<{ asked: string; news: number }>) {
  const answer = useLoaded(() => search(asked), [asked], news);
  const { data, reload } = answer;
  return (
    <>
      <Waiting {...answer} />
      {data?.kind === "address" && <AddressStory {...data} changed={reload} />}
      {data?.kind === "events" && <EventsStory {...data} />}
      {data?.kind === "account" && <AccountStory {...data} />}
      {data?.kind === "message" && <MessageStory {...data} />}
    </>
  );
}

type AddressProps = Readonly<{ asked: string; report: AddressAnswer; changed: () => void }>;

function AddressStory({ asked, report, changed }: AddressProps) {
  const { ban, allowed, protection, protectionUnknown, offencesInMemory, totals, knownAccounts, timeline } = report;
  const verdict = verdictOf(asked, report);
  return (
    <>
      <Card title={asked}>
        <p class="verdict">
          <State status={verdict.isBanned ? "down" : "ok"}>
            <SafeText text={verdict.text} lang={language} />
          </State>{" "}
          {ban !== null && <Expiry at={ban.expiresAt} />}
        </p>
        <ul class="facts">
          <li>{words.offences(offencesInMemory)}</li>
          <li>{words.pastBans(totals.pastBans)}</li>
          {allowed !== null && <SafeText within="li" text={words.allowed(allowed.note)} lang={language} />}
          {protection !== null && allowed === null && <li>{words.protection(protection)}</li>}
          {protectionUnknown && <li>{t.bans.unknown}</li>}
          <Names title={words.knownAccounts} names={knownAccounts} />
        </ul>
        <div class="buttons">
          {ban === null ? (
            <LinkButton text={words.banIt} href={hrefOf("bans", { ban: asked })} class="button danger" />
          ) : (
            <ActionButton text={verdict.buttonText} run={() => lift(ban, changed).finally(changed)} />
          )}
          <LinkButton text={words.itsEvents} href={hrefOf("events", { ip: asked })} />
        </div>
      </Card>
      <Timeline steps={timeline} isWhole />
    </>
  );
}

function AccountStory({ report }: Readonly<{ report: AccountAnswer }>) {
  const { account, state, addresses, timeline, own, complete } = report;
  const known = new Set(timeline.map(({ id }) => id));
  return (
    <>
      <Card title={words.account(account)}>
        <ul class="facts">
          {state === null && <li>{words.noAccount}</li>}
          {state === undefined && <li>{t.bans.unknown}</li>}
          {state !== null && state !== undefined && (
            <>
              <li>
                <State status={state.suspended ? "degraded" : "ok"}>
                  {state.suspended ? words.suspended : words.active}
                </State>
              </li>
              {state.guarded !== null && <li>{words.guarded}</li>}
              {state.held !== null && <li>{words.held(state.held.count, state.held.key)}</li>}
            </>
          )}
        </ul>
        <LinkButton text={words.itsEvents} href={hrefOf("events", { account })} />
      </Card>
      {addresses.length > 0 && (
        <Card title={words.places}>
          <ul class="rows">
            {addresses.slice(0, MOST_PLACES).map(({ ip, succeeded, failed, lastAt }) => (
              <li key={ip} class="row brief">
                <Address of={ip} /> <span>{words.tries(succeeded, failed)}</span> <Time iso={lastAt} how="distance" />
              </li>
            ))}
          </ul>
          {addresses.length > MOST_PLACES && <p class="hint">{t.lists.notShown(addresses.length - MOST_PLACES)}</p>}
        </Card>
      )}
      <Timeline steps={[...own.filter(({ id }) => !known.has(id)), ...timeline]} isWhole={complete} />
    </>
  );
}

function EventsStory({ asked, items }: Readonly<{ asked: string; items: readonly EventItem[] }>) {
  return (
    <Card title={words.named(asked)}>
      <ul class="rows">
        {items.map(({ id, at, type, ip, details }) => (
          <li key={id} class="row brief">
            <Time iso={at} how="moment" /> <span>{eventName(type)}</span> {ip !== null && <Address of={ip} />}
            <span class="wide">
              <SafeText text={details} />
            </span>
          </li>
        ))}
      </ul>
      <LinkButton text={words.itsEvents} href={hrefOf("events", { text: asked })} />
    </Card>
  );
}

function MessageStory({ report }: Readonly<{ report: MessageReport }>) {
  const { asked, queueIds, messageIds, otherQueueIds, complete, timeline } = report;
  return (
    <>
      <Card title={`${words.message}: ${asked}`}>
        <ul class="facts">
          <Names title={words.queueIds} names={queueIds} />
          <Names title={words.messageIds} names={messageIds} />
          <Names title={words.otherMails} names={otherQueueIds.slice(0, MOST_OTHERS)} />
          {otherQueueIds.length > MOST_OTHERS && <li>{t.lists.notShown(otherQueueIds.length - MOST_OTHERS)}</li>}
        </ul>
      </Card>
      <Timeline steps={timeline} isWhole={complete} />
    </>
  );
}

function Names({ title, names }: Readonly<{ title: string; names: readonly string[] }>) {
  if (names.length === 0) return null;
  return (
    <li>
      {title}:{" "}
      {names.map((name) => (
        <a key={name} class="account" href={hrefOf("find", { q: name })}>
          <SafeText text={name} />
        </a>
      ))}
    </li>
  );
}

const SHOWN_AT_ONCE = 50;

/** The steps come oldest first, and are shown newest first. `isWhole`: these are all steps. */
function Timeline({ steps, isWhole }: Readonly<{ steps: readonly TimelineStep[]; isWhole: boolean }>) {
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const newest = steps.toReversed().slice(0, most);
  return (
    <Card title={words.story}>
      {steps.length === 0 && <p class="empty">{words.nothing}</p>}
      <ol class="timeline">
        {newest.map((step) => (
          <Step key={step.id} {...step} />
        ))}
      </ol>
      {!isWhole && <p>{words.incomplete}</p>}
      {steps.length > most && (
        <p>
          {words.shown(newest.length, steps.length)}{" "}
          <Button text={words.more} onClick={() => setMost(most + SHOWN_AT_ONCE)} />
        </p>
      )}
    </Card>
  );
}

function Step({ at, type, details, meaning, evidence, lift, settings, source }: TimelineStep) {
  return (
    <li>
      <p class="head">
        <Time iso={at} how="moment" />
        <span class={`type ${toneOf(type)}`}>{eventName(type)}</span>
        <small>{source}</small>
      </p>
      {meaning !== "" && <SafeText within="p" text={meaning} />}
      <p class="record">
        <SafeText text={details} />
      </p>
      <dl>
        {evidence !== "" && <Pair name={words.evidence} value={evidence} />}
        {lift !== null && <Pair name={t.now.todo} value={lift} />}
        {settings.length > 0 && <Pair name={words.settings} value={settings.join(", ")} />}
      </dl>
    </li>
  );
}

function Pair({ name, value }: Readonly<{ name: string; value: string }>) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <SafeText text={value} />
      </dd>
    </div>
  );
}
