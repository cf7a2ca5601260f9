import type { OwnTexts } from "../mailbox-texts.ts";
import { de as me } from "./me.ts";

export const texts: OwnTexts = { me };
