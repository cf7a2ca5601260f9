/** The texts that every reader needs; those of pages are beside this. */
export { en as texts } from "./frame.ts";
