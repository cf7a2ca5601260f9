export { de as texts } from "./frame.ts";
