// The reference BLAS and OpenBLAS both install cblas.h and answer to -lblas.
#pragma once
#include <cblas.h>
