import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Imports a module of the build, so that what is measured is what is installed. `file`: its path
 * below dist. Run from the repository's root.
 */
export async function importBuilt<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(resolve('dist', file)).href)) as Module // the caller names the source's type
}
