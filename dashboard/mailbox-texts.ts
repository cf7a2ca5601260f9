import { t as shared, textsOf } from "./messages.ts";
import type * as english from "./texts/english-mailbox.ts";

const mailbox = await textsOf<typeof english>({
  en: () => import("./texts/english-mailbox.ts"),
  de: () => import("./texts/german-mailbox.ts"),
});

/** The texts of *My mailbox*, with those of every page. */
export const t = { ...shared, ...mailbox };
