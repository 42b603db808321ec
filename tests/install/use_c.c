/* A user's program in C: compiles the file that is its argument (vector add of
 * f32) twice, and runs it. */
#include <math.h>
#include <quern/quern.h>
#include <stdio.h>
#include <string.h>

static char text[1 << 16];
static float x[1000], y[1000], z[1000];

int main(int argc, char** argv) {
  FILE* file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) return 2;
  const size_t size = fread(text, 1, sizeof(text), file);
  fclose(file);
  quern_error error;
  quern_client* client = NULL;
  if (quern_client_create(NULL, &client, &error) != QUERN_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  quern_source source = {sizeof(source)};
  source.text = text;
  source.text_size_bytes = size;
  quern_kernel* add = NULL;
  if (quern_compile(client, &source, &add, &error) != QUERN_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  uint8_t key[32];
  quern_kernel_key(add, key);
  quern_kernel* again = NULL;
  if (quern_lookup(client, key, &again, &error) != QUERN_OK) return 1;
  if (quern_kernel_entry(again) != quern_kernel_entry(add)) return 1;
  for (int i = 0; i < 1000; ++i) x[i] = (float)i, y[i] = 0.5f;
  const uint64_t args[4] = {(uint64_t)x, (uint64_t)y, (uint64_t)z, 1000};
  const quern_grid grid = {1, 1, 1};
  if (quern_launch_grid(client, add, grid, args, 4, 0, &error) != QUERN_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  for (int i = 0; i < 1000; ++i) {
    if (z[i] != (float)i + 0.5f) return 1;
  }
  if (quern_launch_grid(client, add, grid, args, 3, 0, &error) !=
      QUERN_INVALID_ARGUMENT) {
    return 1;
  }
  quern_kernel_release(again);
  quern_kernel_release(add);
  quern_client_destroy(client);
  printf("quern %s from C: right\n", quern_version());
  return 0;
}
