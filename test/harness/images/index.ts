/** Container images for tests, built and run by Podman and Buildah without an engine that runs all the time. */

export { BASE_IMAGES, hasImageProgram, IMAGE_PROGRAMS } from './base.js'
export { type ImageEngine, openImageEngine } from './engine.js'
