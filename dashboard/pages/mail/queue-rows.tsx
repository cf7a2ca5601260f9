import type { QueueItem } from "../../../src/admin/queue.ts";
import { t } from "../../admin-texts.ts";
import { filled, size, visible } from "../../format.ts";
import { language } from "../../messages.ts";
import { Address, At, Button, Said, useOpened } from "../../parts.tsx";
import type { Query } from "../../route.ts";
import { type Chosen, QUEUE_ACTIONS, type QueueAction } from "./mail-commands.ts";
import type { Asked } from "./queue.tsx";

const words = t.mail;

type Act = (asked: Asked) => void;
type RowProps = Readonly<{
  item: QueueItem;
  isSelected: boolean;
  mayAct: boolean;
  select: (id: string, isOn: boolean) => void;
  act: Act;
}>;

export function QueueRow({ item, isSelected, mayAct, select, act }: RowProps) {
  const { queueId: id, queue, heldFor, sender, recipients, recipientCount, sizeBytes, at, nextTryAt } = item;
  const others = recipientCount - recipients.length;
  // Mail that the guard holds for an account is released or dropped on the tab of held mail.
  const isGuards = heldFor !== null && heldFor !== "root";
  const offered = isGuards ? [] : actionsFor(queue);
  return (
    <li class="row mail" data-mail={id}>
      <span class="who">
        {mayAct && (
          <label class="tick">
            <input
              type="checkbox"
              aria-label={words.select(id)}
              checked={isSelected}
              disabled={isGuards}
              onChange={({ currentTarget }) => select(id, currentTarget.checked)}
            />
          </label>
        )}
        <Address of={id} />
        <span class={`type ${queue === "hold" ? "warn" : ""}`}>{stateOf(queue)}</span>
        <small>
          <At iso={at} how="distance" />, {size(sizeBytes)}
        </small>
      </span>
      <span class="what">
        <Said text={words.fromTo(sender === "" ? words.bounce : sender)} lang={language} />
        {[...Map.groupBy(recipients, ({ reason }) => reason)].map(([reason, of]) => (
          <span key={reason} class="recipient">
            <Said text={of.map(({ address }) => address).join(", ")} />
            <br />
            <small>{reason === null ? words.noReason : <Said text={reason} />}</small>
          </span>
        ))}
        {others > 0 && <small>{words.andOthers(others)} </small>}
        {heldFor !== null && (
          <small>{isGuards ? <Said text={words.heldFor(heldFor)} lang={language} /> : words.heldByHand}</small>
        )}
        {nextTryAt !== null && (
          <small>
            {words.nextTry} <At iso={nextTryAt} how="distance" />
          </small>
        )}
      </span>
      {mayAct && offered.length > 0 && (
        <Actions actions={offered} id={id} run={(action) => act({ action, chosen: { ids: [id] }, count: 1 })} />
      )}
    </li>
  );
}

type SelectionProps = Readonly<{
  items: readonly QueueItem[];
  selected: ReadonlySet<string>;
  setSelected: (ids: ReadonlySet<string>) => void;
  filter: Query;
  total: number;
  act: Act;
}>;

/** Actions on several mails: the selected ones or, if none is selected, all that match a search for an address. */
export function QueueSelection({ items, selected, setSelected, filter, total, act }: SelectionProps) {
  const free = items.flatMap(({ queueId, heldFor }) => (heldFor === null || heldFor === "root" ? [queueId] : []));
  const isAll = free.length > 0 && free.every((id) => selected.has(id));
  const { state: _, ...addresses } = filter;
  const isNarrow = Object.values(addresses).some((value) => value !== "");
  const chosen: Chosen = selected.size > 0 ? { ids: [...selected] } : filled(filter);
  const count = selected.size > 0 ? selected.size : total;
  return (
    <div class="bar">
      <label class="tick">
        <input type="checkbox" checked={isAll} onChange={() => setSelected(new Set(isAll ? [] : free))} />
        {words.selectAll}
      </label>
      {(selected.size > 0 || isNarrow) && (
        <>
          <span>{selected.size > 0 ? words.selected(count) : words.allFitting(count)}</span>
          <Actions actions={QUEUE_ACTIONS} run={(action) => act({ action, chosen, count })} />
        </>
      )}
    </div>
  );
}

type ActionsProps = Readonly<{ actions: readonly QueueAction[]; id?: string; run: (action: QueueAction) => void }>;

/** `id`: the queue id, if the actions are for a single mail. */
function Actions({ actions, id, run }: ActionsProps) {
  return (
    <span class="buttons">
      {actions.map((action) => (
        <Button
          key={action}
          shown={words.actions[action]}
          class={action === "delete" ? "danger" : undefined}
          aria-label={id === undefined ? undefined : `${words.actions[action]}: ${id}`}
          onClick={() => run(action)}
        />
      ))}
    </span>
  );
}

/** Asks for confirmation, and says what will be done with how many mails. */
export function QueueConfirm({ asked, yes, no }: Readonly<{ asked: Asked; yes: () => void; no: () => void }>) {
  const { action, chosen, count } = asked;
  const place = useOpened();
  const names = Array.isArray(chosen["ids"]) ? chosen["ids"].slice(0, 10).join(" ") : Object.values(chosen).join(", ");
  const question = words.ask[action](count);
  return (
    <section ref={place} class="preview" tabIndex={-1} aria-label={question}>
      <strong>{question}</strong>
      <bdi class="said">{visible(names)}</bdi>
      <div class="buttons">
        <Button
          shown={words.yes(words.actions[action], count)}
          class={action === "delete" || action === "return" ? "danger" : "primary"}
          onClick={yes}
        />
        <Button shown={t.cancel} onClick={no} />
      </div>
    </section>
  );
}

function actionsFor(queue: string): readonly QueueAction[] {
  return QUEUE_ACTIONS.filter((action) => {
    if (action === "hold") return queue !== "hold";
    if (action === "release") return queue === "hold";
    return action === "flush" ? queue === "deferred" : true;
  });
}

function stateOf(queue: string): string {
  const { states } = words;
  return queue === "deferred" || queue === "hold" || queue === "active" ? states[queue] : queue;
}
