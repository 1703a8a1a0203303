/* SPDX-License-Identifier: MIT */
/*
 * The main of a fuzz target that is no fuzzer: it runs each file of the folders
 * named, once, and says how many there were, as TAP.  Without arguments the
 * folder is that of the program's name: fuzz_frame runs tests/fuzz/corpus/frame
 * below $srcdir.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* False if the file cannot be read.  The block is of just its size, so that reading on is seen. */
static bool run_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "re");
	uint8_t *bytes = xmalloc(size);
	bool ok = file && fread(bytes, 1, size, file) == size;

	if (file)
		fclose(file);
	if (ok)
		LLVMFuzzerTestOneInput(bytes, size);
	else
		fprintf(stderr, "cannot read %s\n", path);
	free(bytes);
	return ok;
}

/* How many files it ran; -1 if the folder, or one of them, cannot be read. */
static int run_folder(const char *folder)
{
	struct dirent **list;
	int n = scandir(folder, &list, NULL, alphasort), count = 0;

	if (n < 0) {
		fprintf(stderr, "cannot read %s\n", folder);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", folder, list[i]->d_name);
		struct stat st;
		if (count >= 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			count = run_file(path, (size_t)st.st_size) ? count + 1 : -1;
		free(path);
		free(list[i]);
	}
	free(list);
	return count;
}

static char *own_folder(const char *program)
{
	const char *srcdir = getenv("srcdir"), *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	return xasprintf("%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
}

int main(int argc, char **argv)
{
	int folders = argc > 1 ? argc - 1 : 1, failed = 0;

	printf("1..%d\n", folders);
	for (int i = 1; i <= folders; i++) {
		char *folder = argc > 1 ? xstrdup(argv[i]) : own_folder(argv[0]);
		int count = run_folder(folder);
		printf("%s %d - %d inputs of %s\n", count > 0 ? "ok" : "not ok", i, count, folder);
		failed |= count <= 0;
		free(folder);
	}
	return failed;
}
