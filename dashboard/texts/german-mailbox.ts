export { de as settings } from "./mailbox-settings.ts";
export { de as me } from "./me.ts";
