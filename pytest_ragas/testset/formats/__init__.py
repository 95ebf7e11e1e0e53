"""The file formats of a testset, one a file: each reads rows out of a file and writes rows into one."""
