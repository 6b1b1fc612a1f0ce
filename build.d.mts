/** Bundles `root`/src into `outdir`, which is emptied before. `root` has package.json and proto/ too. */
export function bundle(root: string, outdir: string): Promise<void>;
