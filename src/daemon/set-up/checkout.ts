import { join } from "node:path";

/** The directory of the sources from which this program was started. */
export const CHECKOUT = join(import.meta.dirname, "..", "..", "..");
