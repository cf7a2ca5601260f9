import { frameEn as frame, problemsEn as problems, sharedEn as shared } from "./frame.ts";

/** The texts that every reader needs; those of pages are beside this. */
export const texts = { ...frame, ...shared, problems };
