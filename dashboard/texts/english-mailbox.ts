export { en as mailboxSettings } from "./mailbox-settings.ts";
export { en as me } from "./me.ts";
