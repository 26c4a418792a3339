/* sckpt.h: what an application may say to sckpt.  Nothing has to be linked: the function is weak, and there only when
 * the job runs with --checkpoint.
 *
 *     if (sckpt_checkpoint) sckpt_checkpoint();
 */
#ifndef SCKPT_H
#define SCKPT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Asks for a checkpoint of the whole job, to be taken soon; any rank may call it, between MPI_Init and MPI_Finalize, or
 * at any time in a program that is not linked with MPI.  Returns 0 when the request was accepted, -1 when no checkpoint
 * is possible.  It does not wait for the checkpoint. */
int sckpt_checkpoint(void) __attribute__((weak));

#ifdef __cplusplus
}
#endif
#endif
