import { computed } from "@preact/signals";
import { t as shared, textsOf } from "./messages.ts";
import type { texts as english } from "./texts/english-admin.ts";

export type OwnTexts = typeof english;

const own = await textsOf<OwnTexts>({
  en: () => import("./texts/english-admin.ts"),
  de: () => import("./texts/german-admin.ts"),
});

/** Of the administrator's pages, with those of every page. */
export const t = computed(() => ({ ...shared.value, ...own.value }));
