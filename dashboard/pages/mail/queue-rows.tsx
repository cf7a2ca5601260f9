import type { CountedPage } from "../../../src/admin/declare/paging.ts";
import type { QueueItem } from "../../../src/admin/queue.ts";
import { isGuardsHold } from "../../../src/core/events/queued-mail.ts";
import { t } from "../../admin-texts.ts";
import { ActionButton, ConfirmButton } from "../../controls.tsx";
import { escapeInvisible, size, withoutEmpty } from "../../format.ts";
import { language } from "../../messages.ts";
import { Address, SafeText, Time } from "../../parts.tsx";
import type { Query } from "../../route.ts";
import { type Chosen, QUEUE_ACTIONS, type QueueAction } from "./mail-commands.ts";

const words = t.mail;

type Act = (action: QueueAction, chosen: Chosen) => Promise<void>;
type RowProps = Readonly<{
  item: QueueItem;
  selected: ReadonlySet<string>;
  select: (id: string, isOn: boolean) => void;
  /** Null while the rows answer an earlier filter. */
  act: Act | null;
}>;

export function QueueRow({ item, selected, select, act }: RowProps) {
  const { queueId: id, queue, heldFor, sender, recipients, recipientCount, sizeBytes, at, nextTryAt } = item;
  const addressesWith = (why: string | null): string =>
    recipients.flatMap(({ address, reason }) => (reason === why ? [address] : [])).join(", ");
  const others = recipientCount - recipients.length;
  const isGuards = isGuardsHold(item);
  const offered = isGuards ? [] : actionsFor(queue);
  return (
    <li class="row mail" data-mail={id}>
      <span class="who">
        {act !== null && (
          <label class="tick">
            <input
              type="checkbox"
              aria-label={words.select(id)}
              checked={selected.has(id)}
              disabled={isGuards}
              onChange={({ currentTarget }) => select(id, currentTarget.checked)}
            />
          </label>
        )}
        <Address of={id} />
        <span class={`type ${queue === "hold" ? "warn" : ""}`}>{stateOf(queue)}</span>
        <small>
          <Time iso={at} how="distance" />, {size(sizeBytes)}
        </small>
      </span>
      <span class="what">
        <SafeText text={words.fromTo(sender === "" ? words.bounce : sender)} lang={language} />
        {[...new Set(recipients.map(({ reason }) => reason))].map((reason) => (
          <span key={reason} class="recipient">
            <SafeText text={addressesWith(reason)} />
            <br />
            <small>{reason === null ? words.noReason : <SafeText text={reason} />}</small>
          </span>
        ))}
        {others > 0 && <small>{words.andOthers(others)} </small>}
        {heldFor !== null && (
          <small>{isGuards ? <SafeText text={words.heldFor(heldFor)} lang={language} /> : words.heldByHand}</small>
        )}
        {nextTryAt !== null && (
          <small>
            {words.nextTry} <Time iso={nextTryAt} how="distance" />
          </small>
        )}
      </span>
      {act !== null && offered.length > 0 && (
        <Actions actions={offered} chosen={{ ids: [id] }} count={1} id={id} act={act} />
      )}
    </li>
  );
}

type SelectionProps = Readonly<{
  of: CountedPage<QueueItem>;
  selected: ReadonlySet<string>;
  setSelected: (ids: ReadonlySet<string>) => void;
  filter: Query;
  act: Act;
}>;

/** Actions on several mails: the selected ones or, if none is selected, all that match a search for an address. */
export function QueueSelection({ of, selected, setSelected, filter, act }: SelectionProps) {
  const free = of.items.flatMap((item) => (isGuardsHold(item) ? [] : [item.queueId]));
  const isAll = free.length > 0 && free.every((id) => selected.has(id));
  const { state: _, ...addresses } = filter;
  const isNarrow = Object.values(addresses).some((value) => value !== "");
  const chosen: Chosen = selected.size > 0 ? { ids: [...selected] } : withoutEmpty(filter);
  const count = selected.size > 0 ? selected.size : of.total;
  return (
    <>
      <div class="bar">
        <label class="tick">
          <input type="checkbox" checked={isAll} onChange={() => setSelected(new Set(isAll ? [] : free))} />
          {words.selectAll}
        </label>
        {(selected.size > 0 || isNarrow) && (
          <>
            <span>{selected.size > 0 ? words.selected(count) : words.allFitting(count)}</span>
            <Actions actions={QUEUE_ACTIONS} chosen={chosen} count={count} act={act} />
          </>
        )}
      </div>
      <p class="hint">{words.actionsHint}</p>
    </>
  );
}

type ActionsProps = Readonly<{
  actions: readonly QueueAction[];
  chosen: Chosen;
  count: number;
  /** The queue id, in the row of a mail. */
  id?: string;
  act: Act;
}>;

/** Asks first, except for one mail that stays in the queue. The buttons name the words searched for, because the form may have others. */
function Actions({ actions, chosen, count, id, act }: ActionsProps) {
  const isOne = "ids" in chosen && count === 1;
  const named = id ?? ("ids" in chosen ? "" : escapeInvisible(Object.values<string>(chosen).join(", ")));
  const nameOf = (action: string): string => (named === "" ? action : `${action}: ${named}`);
  return (
    <span class="buttons">
      {actions.map((action) => {
        const text = words.actions[action];
        const label = nameOf(text);
        const run = (): Promise<void> => act(action, chosen);
        if (isOne && action !== "delete" && action !== "return")
          return <ActionButton key={action} text={text} label={label} run={run} />;
        const kind = action === "delete" ? "danger" : undefined;
        const confirmText = nameOf(words.surely[action](count));
        // For different mail this is a new button, which has not asked yet.
        return (
          <ConfirmButton key={confirmText} label={label} text={text} confirmText={confirmText} kind={kind} run={run} />
        );
      })}
    </span>
  );
}

function actionsFor(queue: string): readonly QueueAction[] {
  if (queue === "hold") return ["release", "return", "delete"];
  return queue === "deferred" ? ["hold", "flush", "return", "delete"] : ["hold", "return", "delete"];
}

function stateOf(queue: string): string {
  return queue === "deferred" || queue === "hold" || queue === "active" ? words.states[queue] : queue;
}
