/* crc32c.h - the Castagnoli checksum of what is written to disk: by the processor's own instruction where there is
 * one (SSE 4.2), else by a table. Source: RFC 3720, appendix B.4. Layer: base. Thread-safe. */
#ifndef FLASHKV_CRC32C_H
#define FLASHKV_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of the bytes behind those that `crc` is the checksum of; 0 begins. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
/* The same by the table alone: for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
