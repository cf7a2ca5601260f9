import { join } from "node:path";

/** Where the sources are that this program was started from. */
export const CHECKOUT = join(import.meta.dirname, "..", "..", "..");
