import Testing
import TestSupport
import Greeks
