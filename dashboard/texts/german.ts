import type { Messages } from "../messages.ts";
import { frameDe as frame, problemsDe as problems, sharedDe as shared } from "./frame.ts";

export const texts: Messages = { ...frame, ...shared, problems };
