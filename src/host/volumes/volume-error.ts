/** The error of everything in this folder. */
import { RepriseError } from '../../errors.ts';

/** A volume cannot be provided or taken back; the pod waits until it can. */
export class VolumeError extends RepriseError {}
