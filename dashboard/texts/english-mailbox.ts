/** The texts of *My mailbox*. */

export { en as own } from "./mailbox-settings.ts";
export { en as me } from "./me.ts";
