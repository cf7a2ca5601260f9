import { useLoaded, Waiting } from "./parts.tsx";
import { loaded } from "./programs.ts";

/** Four modules of light on each side, as readers need them. */
const QUIET = 4;

/**
 * The text as a picture, dark on light in each colour scheme; nothing where it is too long for one. What draws it is loaded where one is
 * shown.
 */
export function QrCode({ text, title }: Readonly<{ text: string; title: string }>) {
  const { data, error, reload } = useLoaded(() => loaded(() => import("./qr.ts")), []);
  if (data === null) return <Waiting error={error} reload={reload} />;
  const matrix = data.qrOf(text);
  if (matrix === null) return null;
  const size = matrix.length + 2 * QUIET;
  const path = matrix
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")))
    .join("");
  return (
    <svg class="qr" role="img" aria-label={title} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <rect width={size} height={size} class="light" />
      <path d={path} class="dark" />
    </svg>
  );
}
