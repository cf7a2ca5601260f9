export { de as mailboxSettings } from "./mailbox-settings.ts";
export { de as me } from "./me.ts";
