import { en as frame } from "./frame.ts";
import { en as problems } from "./problems.ts";
import { en as shared } from "./shared.ts";

/** The texts that every reader needs; those of pages are beside this. */
export const texts = { ...frame, ...shared, problems };
