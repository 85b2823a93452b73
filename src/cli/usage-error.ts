/**
 * A command line that makes no sense: exit code 2.
 */
import { RepriseError } from '../errors.ts';

/** What was typed cannot be meant. */
export class UsageError extends RepriseError {}
