import { useEffect, useState } from "preact/hooks";
import type { Matrix } from "./qr.ts";

/** Four modules of light on each side, as readers need them. */
const QUIET = 4;

/**
 * The text as a picture, dark on light in each colour scheme; nothing where it is too long for one. What draws it is loaded where one is
 * shown.
 */
export function QrCode({ text, title }: Readonly<{ text: string; title: string }>) {
  const [matrix, setMatrix] = useState<Matrix | null>(null);
  useEffect(() => {
    let isShown = true;
    import("./qr.ts").then(
      ({ qrOf }) => isShown && setMatrix(qrOf(text)),
      // The text stands beside it.
      () => setMatrix(null),
    );
    return () => {
      isShown = false;
    };
  }, [text]);
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
