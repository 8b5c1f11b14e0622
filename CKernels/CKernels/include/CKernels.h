#ifndef CKERNELS_H
#define CKERNELS_H

#include "poise_lanes.h"
#include "poise_processor.h"

#endif
