import { computed } from "@preact/signals";
import { t as shared, textsOf } from "./messages.ts";
import type * as english from "./texts/english-mailbox.ts";

export type MailboxTexts = typeof english;

const mailbox = await textsOf<MailboxTexts>({
  en: () => import("./texts/english-mailbox.ts"),
  de: () => import("./texts/german-mailbox.ts"),
});

/** Of *My mailbox*, with those of every page. */
export const t = computed(() => ({ ...shared.value, ...mailbox.value }));
