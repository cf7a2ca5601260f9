import { signal } from "@preact/signals";
import { type Failure, failureOf, RequestError } from "./api.ts";
import { language } from "./messages.ts";

type Toast = Failure & Readonly<{ id: number; tone: "good" | "bad"; undo: (() => Promise<void>) | null }>;

/** The reader cancelled. Nothing is done, and no message is shown. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** How long a message shows; its undo must be used in that time. */
export const TOAST_MS = 10_000;
/** Maximum messages without an undo. One with an undo stays for its whole time. */
const MOST_TOASTS = 4;

export const toasts = signal<readonly Toast[]>([]);
/** Whether the browser has a valid session. Not in session.ts, which imports this file: `reportFailure` sets it after a 401. */
export const signedIn = signal<"unknown" | "yes" | "no">("unknown");
const timers = new Map<number, ReturnType<typeof setTimeout>>();
let lastId = 0;
let isHeld = false;

type ToastOptions = Partial<Pick<Toast, "tone" | "undo" | "lang">>;

/** A repeated message replaces the earlier one, unless that has an undo. */
export function notify(text: string, { tone = "good", undo = null, lang = language }: ToastOptions = {}): void {
  lastId += 1;
  const toast: Toast = { id: lastId, text, lang, tone, undo };
  const isSame = (one: Toast): boolean => one.undo === null && one.text === text && one.tone === tone;
  const all = [...toasts.peek().filter((one) => !isSame(one)), toast];
  const plain = all.filter((one) => one.undo === null).slice(-MOST_TOASTS);
  show(all.filter((one) => one.undo !== null || plain.includes(one)));
}

function dismiss(id: number): void {
  show(toasts.peek().filter((toast) => toast.id !== id));
}

/** While the pointer or the focus is on a message, no message's time runs; it restarts afterwards. */
export function holdToasts(shallHold: boolean): void {
  if (shallHold === isHeld) return;
  isHeld = shallHold;
  show(toasts.peek());
}

/** Undoes the latest message that has an undo; false if there is none. */
export function undoLast(): boolean {
  const last = toasts.peek().findLast(({ undo }) => undo !== null);
  if (last === undefined) return false;
  undoOf(last);
  return true;
}

export function undoOf({ id, undo }: Toast): void {
  dismiss(id);
  if (undo !== null) attempt(undo);
}

/** No message stays for the next reader. */
export function forgetToasts(): void {
  show([]);
}

export type ShowFailure = (why: Failure) => void;

const inToast: ShowFailure = ({ text, lang }) => notify(text, { tone: "bad", lang });

/** Shows it in the form while that is in the page, otherwise in a message. */
export const byForm =
  (form: Pick<Node, "isConnected">, showFailure: ShowFailure): ShowFailure =>
  (why) =>
    (form.isConnected ? showFailure : inToast)(why);

/** Runs what a click asked for. If the server refuses, shows its reason, in a message by default. */
export function attempt(run: () => Promise<void>, showFailure = inToast): void {
  run().catch((error: unknown) => reportFailure(error, showFailure));
}

/** Like `attempt`, but one at a time: ignores a second one while the first runs. Calls `onChange` whenever that changes. */
export function oneAtATime(onChange: (isBusy: boolean) => void): typeof attempt {
  let isBusy = false;
  const set = (value: boolean): void => {
    isBusy = value;
    onChange(value);
  };
  return (run, showFailure) => {
    if (isBusy) return;
    set(true);
    attempt(() => run().finally(() => set(false)), showFailure);
  };
}

export function reportFailure(error: unknown, showFailure = inToast): void {
  if (error instanceof Cancelled) return;
  if (error instanceof RequestError && error.status === 401) signedIn.value = "no";
  else showFailure(failureOf(error));
}

function show(wanted: readonly Toast[]): void {
  const ids = new Set(wanted.map(({ id }) => id));
  for (const [id, timer] of timers)
    if (isHeld || !ids.has(id)) {
      clearTimeout(timer);
      timers.delete(id);
    }
  const untimed = isHeld ? [] : [...ids].filter((id) => !timers.has(id));
  for (const id of untimed) timers.set(id, setTimeout(dismiss, TOAST_MS, id));
  toasts.value = wanted;
}
