import { DEFAULT_DATA_DIRECTORY, type Layout } from "../../settings/layout.ts";
import { IS_IMAGE, IS_PACKAGED } from "./checkout.ts";
import { areUnitsFor } from "./units.ts";

/** A shell command for the server in this data directory. */
export function commandFor({ data }: Pick<Layout, "data">, command: string): string {
  return data === DEFAULT_DATA_DIRECTORY ? command : `GHOSTINBOX_DATA=${data} ${command}`;
}

/** The command that starts the server. If there are units, a start in a terminal would run it without their sandboxes. */
export function startCommand(layout: Layout, hasUnits = IS_PACKAGED || areUnitsFor(layout)): string {
  if (IS_IMAGE) return "`docker start` or `docker compose up -d` on the host";
  return hasUnits ? "systemctl start ghostinbox" : commandFor(layout, "npm start");
}

/** The command that stops the server. Docker restarts a container that it did not stop itself (`restart: unless-stopped`). */
export function stopCommand(layout: Pick<Layout, "data">, isImage = IS_IMAGE): string {
  return isImage
    ? "`docker stop` or `docker compose stop` on the host"
    : `\`${commandFor(layout, "./ghostinbox stop")}\``;
}
