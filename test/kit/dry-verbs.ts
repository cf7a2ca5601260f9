import { type DryVerb, hasDryRun, verbs } from "../../src/admin/declare/control.ts";

/** Every verb whose outcome the guard can predict without carrying it out. */
export const DRY_VERBS: readonly DryVerb[] = [...verbs.values()].filter(hasDryRun).map(({ verb }) => verb);
