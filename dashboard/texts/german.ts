import type { Messages } from "../messages.ts";
import { de as frame } from "./frame.ts";
import { de as problems } from "./problems.ts";
import { de as shared } from "./shared.ts";

export const texts: Messages = { ...frame, ...shared, problems };
