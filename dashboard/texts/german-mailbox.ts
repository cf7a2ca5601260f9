export { de as own } from "./mailbox-settings.ts";
export { de as me } from "./me.ts";
