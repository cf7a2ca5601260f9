import { en as me } from "./me.ts";

/** The texts of *My mailbox*. */
export const texts = { me };
