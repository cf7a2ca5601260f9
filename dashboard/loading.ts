import type { Complaint } from "./complaint.ts";

/** What was loaded last, for which question; `error`: why the last answer is none. */
export type Load<T> = Readonly<{ data: T | null; error: Complaint | null; asked: string }>;

export const NOTHING_LOADED: Load<never> = { data: null, error: null, asked: "" };

/** Whether the shown data answers the present question: until then the reader cannot act on it. */
export function isOf({ data, asked }: Load<unknown>, wanted: string): boolean {
  return data !== null && asked === wanted;
}

/** Of what was selected, that which is still listed. */
export function stillListed(selected: ReadonlySet<string>, listed: readonly string[]): ReadonlySet<string> {
  return new Set(listed.filter((id) => selected.has(id)));
}

/** What is shown stays if it answers the same question: the answer to another would be taken for this one's. */
export function afterFailure<T>(last: Load<T>, asked: string, error: Complaint): Load<T> {
  return { data: last.asked === asked ? last.data : null, error, asked };
}
