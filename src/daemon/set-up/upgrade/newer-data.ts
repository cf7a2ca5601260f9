import { schemasOf, unusableSchema } from "../../../adapters/sqlite/schemas.ts";
import { DATA_IS_NEWER } from "../../../render/systemd.ts";
import type { Layout } from "../../../settings/layout.ts";
import { SetUpFailure } from "../failure.ts";
import { whyNotAgain } from "./taken-back.ts";

/** Throws SetUpFailure if another version wrote the databases, or if a rollback has just left this one. Changes nothing. */
export function refuseUnfitData(layout: Layout): void {
  const schemas = schemasOf(layout);
  const why = unusableSchema(schemas) ?? whyNotAgain(layout, schemas);
  if (why !== null) throw new SetUpFailure(why, DATA_IS_NEWER);
}
