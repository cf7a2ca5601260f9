import { DEFAULT_DATA_DIRECTORY, type Layout } from "../../settings/layout.ts";
import { IS_IMAGE, IS_PACKAGED } from "./checkout.ts";
import { areUnitsFor } from "./units.ts";

/** A command for the server in this data directory, as a shell runs it. */
export function commandFor({ data }: Pick<Layout, "data">, command: string): string {
  return data === DEFAULT_DATA_DIRECTORY ? command : `GHOSTINBOX_DATA=${data} ${command}`;
}

/** What starts the server. A start in a terminal would run it without the sandboxes of its units. */
export function startCommand(layout: Layout, hasUnits = IS_PACKAGED || areUnitsFor(layout)): string {
  if (IS_IMAGE) return "`docker start` or `docker compose up -d` on the host";
  return hasUnits ? "systemctl start ghostinbox" : commandFor(layout, "npm start");
}

/** What stops the server: Docker restarts a container that was not stopped by it (`restart: unless-stopped`). */
export function stopCommand(layout: Pick<Layout, "data">, isImage = IS_IMAGE): string {
  return isImage
    ? "`docker stop` or `docker compose stop` on the host"
    : `\`${commandFor(layout, "./ghostinbox stop")}\``;
}
