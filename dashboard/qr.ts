// A separate file: of a package that is imported dynamically, esbuild keeps every export.
export { encode } from "uqr";
