/** A device cannot be had or found; says which, and what to try next. */
import { RepriseError } from '../../errors.ts';

export class DeviceError extends RepriseError {}
