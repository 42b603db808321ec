/* Exits 0 if the kernel refuses this process memory that is executable and was
 * or is writable; 1 if it grants some; 2 if it grants no memory at all. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

int main(void) {
  const size_t size = 4096;
  void* plain = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (plain == MAP_FAILED) return 2;
  if (mprotect(plain, size, PROT_READ | PROT_EXEC) == 0 || errno != EPERM) {
    puts("written memory becomes executable");
    return 1;
  }
  if (mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
      errno != EPERM) {
    puts("memory is writable and executable");
    return 1;
  }
  return 0;
}
