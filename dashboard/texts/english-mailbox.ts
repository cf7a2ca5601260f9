/** The texts of *My mailbox*. */
export { en as me } from "./me.ts";
export { en as own } from "./me-own.ts";
