export { de as me } from "./me.ts";
export { de as own } from "./me-own.ts";
