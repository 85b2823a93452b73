/** The error of a container that cannot be described to the runtime. */
import { RepriseError } from '../errors.ts';

/** The pod asks for something that this container cannot be created with, for now or for ever. */
export class ContainerConfigError extends RepriseError {}
