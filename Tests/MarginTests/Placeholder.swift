import Margin
