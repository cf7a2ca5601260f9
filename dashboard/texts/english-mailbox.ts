import { en as me } from "./me.ts";
import { en as own } from "./me-own.ts";

/** The texts of *My mailbox*. */
export const texts = { me: { ...me, ...own } };
