import type { OwnTexts } from "../mailbox-texts.ts";
import { de as me } from "./me.ts";
import { de as own } from "./me-own.ts";

export const texts: OwnTexts = { me: { ...me, ...own } };
